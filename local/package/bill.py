"""The bill of materials: what third parties wrote of what is shipped, in CycloneDX.

Names, versions and licences are those that stand inside the packed archives; hashes are the lock's, which the installed
wheel was checked against. Nothing in it depends on when or where it was written.
https://cyclonedx.org/docs/1.6/json/
"""

import uuid
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from cdk.archives import Entry, made_of
from local.package.lock import Locked, normalized, read_lock

_CLASSIFIED = "License :: "
_WRITTEN = datetime(1980, 1, 1, tzinfo=UTC)
"""As the archives' files are dated; the library would look at the clock."""

_SHORT = 100
"""Letters of a name; what is longer is the licence's text."""


def bill_of(root: Path, architecture: str, entries: Mapping[str, Entry], zips: Mapping[str, Path]) -> str:
    """Return the bill as JSON text.

    Args:
        root: the checkout.
        architecture: see `cdk.archives.ARCHITECTURES`.
        entries: the manifest, by archive.
        zips: where each archive lies.
    """
    whole = "".join(f"{name} {entry.archive_sha256}\n" for name, entry in sorted(entries.items()))
    identity = uuid.uuid5(uuid.NAMESPACE_OID, f"ebb bill of materials {architecture}\n{whole}")
    bill = Bom(serial_number=identity, metadata=BomMetaData(timestamp=_WRITTEN))
    for name, entry in sorted(entries.items()):
        ours = _archive(name, entry)
        bill.components.add(ours)
        lock = made_of(root, name, architecture).lock
        if lock is not None:
            wheels = list(_wheels(name, zips[name], read_lock(lock)))
            bill.components.update(wheels)
            bill.register_dependency(ours, wheels)
    text = make_outputter(bill, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)
    return text + "\n"


def _archive(name: str, entry: Entry) -> Component:
    return Component(
        name=f"ebb-{name}",
        type=ComponentType.APPLICATION,
        bom_ref=f"archive:{name}",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=entry.archive_sha256)],
    )


def _wheels(name: str, path: Path, lock: Mapping[tuple[str, str], Locked]) -> Iterator[Component]:
    for metadata in _metadata(path):
        package, version = normalized(metadata["Name"]), metadata["Version"]
        yield Component(
            name=package,
            version=version,
            type=ComponentType.LIBRARY,
            bom_ref=f"{name}:{package}@{version}",
            purl=PackageURL("pypi", name=package, version=version),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each) for each in lock[package, version].sha256],
            licenses=list(licences(metadata)),
            properties=[Property(name="ebb:archive", value=name)],
        )


def _metadata(path: Path) -> Iterator[Message]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".dist-info/METADATA"):
                yield HeaderParser().parsestr(archive.read(name).decode())


def licences(metadata: Message) -> Iterator[License]:
    """Return the licences that a wheel's METADATA names: the expression, else the classifiers, else a short name.

    None where it says nothing; a guess would be worse. Fields: PEP 639 and core metadata 2.4.
    """
    expression, name = metadata["License-Expression"], (metadata["License"] or "").strip()
    classified = [text.split(" :: ")[-1] for text in metadata.get_all("Classifier", []) if text.startswith(_CLASSIFIED)]
    make = LicenseFactory()
    if expression:
        yield make.make_from_string(expression)
    elif classified:
        yield from (make.make_with_name(each) for each in classified)
    elif name and len(name) <= _SHORT and "\n" not in name:
        yield make.make_from_string(name)
