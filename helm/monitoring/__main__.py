"""`python -m helm.monitoring`: write the files."""

from helm.monitoring.files import generated

for path, text in generated().items():
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(path)
