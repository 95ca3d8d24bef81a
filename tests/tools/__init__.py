"""What is around the product: populus, benchmarks, style, pages compared with the code."""
