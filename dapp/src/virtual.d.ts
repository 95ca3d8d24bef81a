/** Made by `bundle/python.ts`. */
declare module "virtual:python" {
  export const bundle: {
    /** Path of the folder with Python's parts, from the origin's root. */
    folder: string;
    /** Of Pyodide's list of packages, what it must have. */
    lock: string;
    /** Subresource integrity, by file name. */
    integrity: Record<string, string | undefined>;
  };
}
