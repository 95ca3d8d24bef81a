"""Runs in Pyodide at build time: loads what the worker loads, and puts it away as bytecode.

/python.zip      all modules that were loaded, Perun's and the standard library's, no docstrings
/msgspec.bin     the one package with native code: length, index in JSON, files
"""

import ast
import importlib.util
import json
import marshal
import sys
import zipfile

SOURCES = "/sources"
PACKAGES = "/lib/python3.14/site-packages"
# Loaded by what happens later, rather than by an import at the start.
LATER = (
    *("traceback", "linecache", "tokenize", "textwrap", "asyncio", "encodings.idna", "_strptime"),
    *("encodings.ascii", "encodings.latin_1", "encodings.utf_8", "hmac", "secrets", "stringprep"),
)

sys.path.insert(0, SOURCES)
import perun.page.worker  # noqa: E402, F401

for name in LATER:
    importlib.import_module(name)


def bytecode(source, path):
    """A .pyc that is never compared with a source; asserts stay, docstrings go."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
            and isinstance(body[0].value.value, str)
        ):
            # A body needs something; what comes from the future must come first.
            body[:1] = [] if len(body) > 1 else [ast.copy_location(ast.Pass(), body[0])]
    code = compile(tree, path, "exec", dont_inherit=True)
    return importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8) + marshal.dumps(code)


def place(name, origin):
    """Where a module lies in an archive."""
    inner = name.replace(".", "/")
    return inner + ("/__init__.pyc" if origin.endswith(("__init__.py", "__init__.pyc")) else ".pyc")


def source_of(module):
    """Its text, and where that is; None for what is built in, or native."""
    spec = getattr(module, "__spec__", None)
    origin = getattr(spec, "origin", None) or ""
    if not origin.endswith(".py") or spec.loader is None:
        return None
    return spec.loader.get_source(spec.name), origin


native, plain = {}, {}
for name, module in sorted(sys.modules.items()):
    found = source_of(module)
    if name == "__main__" or found is None or module.__spec__.name != name:
        continue
    text, origin = found
    code = bytecode(text, f"{name.replace('.', '/')}.py")
    if name.partition(".")[0] == "msgspec":
        native[f"{PACKAGES}/{place(name, origin)}"] = code
    else:
        plain[place(name, origin)] = code

with zipfile.ZipFile("/python.zip", "w", zipfile.ZIP_STORED) as archive:
    for path, code in sorted(plain.items()):
        archive.writestr(zipfile.ZipInfo(path), code)
    for name in sys.modules["perun.page.network"].KNOWN:
        path = f"perun/artifacts/{name}.json"
        with open(f"{SOURCES}/{path}", "rb") as file:
            content = json.loads(file.read())
        kept = {"bytecode": "0x"} | {
            key: content[key] for key in ("deployedBytecode", "immutableReferences")
        }
        archive.writestr(zipfile.ZipInfo(path), json.dumps(kept))

core = sys.modules["msgspec._core"].__file__
with open(core, "rb") as file:
    native[core] = file.read()
index = json.dumps([[path, len(data)] for path, data in native.items()]).encode()
with open("/msgspec.bin", "wb") as file:
    file.write(len(index).to_bytes(4, "big") + index)
    for data in native.values():
        file.write(data)
