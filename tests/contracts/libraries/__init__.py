"""Assembly and packed arithmetic compared with plain forms, over generated inputs."""
