"""Writes the small weight files of tests/formats and tests/io with numpy's and PyTorch's own writers.

    python3 tests/references/weight_files.py        writes tests/references/weights/*
"""
import pathlib
import zipfile

import numpy as np

FOLDER = pathlib.Path(__file__).parent / "weights"


def archives():
    """Members of each kind that zip files of weights have."""
    noise = np.random.default_rng(1).integers(0, 256, 3000).astype(np.uint8).tobytes()
    with zipfile.ZipFile(FOLDER / "members.zip", "w") as archive:
        archive.comment = b"a comment"
        for name, content in [("text", b"happy " * 500), ("noise", noise), ("empty", b"")]:
            for method, kind in [(zipfile.ZIP_STORED, "stored"), (zipfile.ZIP_DEFLATED, "deflated")]:
                info = zipfile.ZipInfo(f"{kind}/{name}")
                info.compress_type = method
                with archive.open(info, "w", force_zip64=kind == "stored") as member:
                    member.write(content)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    archives()
