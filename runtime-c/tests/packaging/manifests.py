"""The manifests say what the formats ask for, name files that exist, and agree with the headers on the version."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REPOSITORY = ROOT.parent


def fail(message):
    sys.exit(f"packaging: manifests: {message}")


def leave_out(message):
    print(f"packaging: manifests: left out {message}")
    if os.environ.get("SNN_REQUIRE_TOOLS") == "1":
        sys.exit(1)


def header_version():
    text = (ROOT / "include/snn/snn.h").read_text()
    return ".".join(re.search(rf"^#define SNN_VERSION_{part} (\d+)$", text, re.M).group(1) for part in ("MAJOR", "MINOR")) + ".0"


def properties(path):
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def plain_yaml(path):
    """Scalars at the top and one level down: all that PyYAML is not needed for."""
    result, section = {}, None
    for line in path.read_text().splitlines():
        if not line.strip() or line.startswith("#") or line.lstrip().startswith("- "):
            continue
        found = re.fullmatch(r"( *)([a-z_-]+):(?: (.*))?", line)
        if not found:
            fail(f"{path.name}: not understood: {line}")
        indent, key, value = found.groups()
        value = value.strip('"') if value else None
        if not indent:
            result[key] = {} if value is None else value
            section = result[key]
        elif isinstance(section, dict):
            section[key] = value
    return result


def read_yaml(path):
    try:
        import yaml
    except ImportError:
        return plain_yaml(path)
    result = yaml.safe_load(path.read_text())
    plain = plain_yaml(path)
    if {key: value for key, value in result.items() if isinstance(value, str)} != \
            {key: value for key, value in plain.items() if isinstance(value, str)}:
        fail(f"{path.name}: read differently without PyYAML")
    return result


def check_zephyr():
    module = read_yaml(REPOSITORY / "zephyr/module.yml")
    unknown = set(module) - {"name", "build", "tests", "samples", "boards", "blobs", "security"}
    if unknown:
        fail(f"module.yml: unknown {unknown}")
    if not (REPOSITORY / module["build"]["cmake"] / "CMakeLists.txt").is_file():
        fail("module.yml: no CMakeLists.txt in build.cmake")
    if not (REPOSITORY / module["build"]["kconfig"]).is_file():
        fail("module.yml: no build.kconfig")
    kconfig = (REPOSITORY / module["build"]["kconfig"]).read_text()
    if len(re.findall(r"^if ", kconfig, re.M)) != len(re.findall(r"^endif", kconfig, re.M)):
        fail("Kconfig: if without endif")
    for entry in re.split(r"^(?=(?:menu)?config )", kconfig, flags=re.M)[1:]:
        if not re.search(r'^\t(bool|int|string) "', entry, re.M) or "\thelp\n" not in entry:
            fail(f"Kconfig: no type, prompt or help: {entry.splitlines()[0]}")


def check_idf(version):
    manifest = read_yaml(ROOT / "idf_component.yml")
    known = {"version", "description", "license", "url", "repository", "repository_info", "documentation", "issues", "discussion",
             "maintainers", "tags", "targets", "files", "examples", "dependencies"}
    if set(manifest) - known:
        fail(f"idf_component.yml: unknown {set(manifest) - known}")
    if manifest["version"] != version:
        fail(f"idf_component.yml: version {manifest['version']}, the headers' is {version}")
    text = (ROOT / "idf_component.yml").read_text()
    for pattern in re.findall(r'^    - "([^"]+)"$', text, re.M):
        if pattern.split("/")[0] != "build" and not (ROOT / pattern.split("/")[0]).exists():
            fail(f"idf_component.yml: {pattern} is not there to be left out")
    kept = {"firmware", "include", "CMakeLists.txt", "README.md", "idf_component.yml"}
    for name in kept & {pattern.split("/")[0] for pattern in re.findall(r'^    - "([^"]+)"$', text, re.M)}:
        fail(f"idf_component.yml leaves {name} out, which a component needs")


def check_arduino(version):
    library = properties(ROOT / "arduino/library.properties")
    if library["version"] != version:
        fail(f"library.properties: version {library['version']}, the headers' is {version}")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _.-]*", library["name"]):
        fail("library.properties: a name that is not allowed")
    categories = ("Display", "Communication", "Signal Input/Output", "Sensors", "Device Control", "Timing", "Data Storage",
                  "Data Processing", "Other")
    if library["category"] not in categories:
        fail("library.properties: a category that does not exist")
    for sketch in (ROOT / "arduino/examples").glob("*/*.ino"):
        if sketch.stem != sketch.parent.name:
            fail(f"{sketch.name}: a sketch has the name of its folder")


def check_platformio(version):
    library = json.loads((REPOSITORY / "library.json").read_text())
    for field in ("name", "version", "description", "keywords", "license"):
        if field not in library:
            fail(f"library.json: no {field}")
    if library["version"] != version:
        fail(f"library.json: version {library['version']}, the headers' is {version}")
    source, include = (REPOSITORY / library["build"][key] for key in ("srcDir", "includeDir"))
    if not (include / library["headers"]).is_file():
        fail("library.json: no such header")
    for path in library["export"]["include"]:
        if not (REPOSITORY / path).exists():
            fail(f"library.json: no {path}")
        if path in ("runtime-c",):
            fail("library.json: takes too much along")
    compiler = os.environ.get("CC", "gcc")
    if shutil.which(compiler) is None:
        leave_out(f"compiling by library.json, there is no {compiler}")
        return
    with tempfile.TemporaryDirectory() as folder:
        objects = []
        sources = sorted(source.rglob("*.c"))
        if sources != sorted((ROOT / "firmware").rglob("*.c")):
            fail("library.json: builds other files than firmware/")
        for path in sources:
            objects.append(f"{folder}/{path.stem}.o")
            subprocess.run([compiler, "-c", path, f"-I{include}", f"-I{source}", "-o", objects[-1]], check=True)
        program = f"{folder}/program"
        subprocess.run([compiler, HERE / "consume_device.c", HERE / "digits.c", f"-I{include}", *objects, "-o", program], check=True)
        subprocess.run([program], check=True)


def main():
    version = header_version()
    check_zephyr()
    check_idf(version)
    check_arduino(version)
    check_platformio(version)
    print("packaging: manifests: ok")


if __name__ == "__main__":
    main()
