"""Checks signed statements with the reference implementations: check.py PUBLIC-KEY BUNDLE..."""

import base64
import copy
import json
import pathlib
import sys

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey
from sigstore_models.bundle.v1 import Bundle

PREDICATES = {
    "https://slsa.dev/provenance/v1": provenance_pb2.Provenance,
    "https://in-toto.io/attestation/test-result/v0.1": test_result_pb2.TestResult,
}


def refused(envelope, key):
    try:
        Envelope.from_dict(copy.deepcopy(envelope)).verify([key], 1)
    except VerificationError:
        return True
    return False


public = load_pem_public_key(pathlib.Path(sys.argv[1]).read_bytes())
for path in sys.argv[2:]:
    text = pathlib.Path(path).read_text()
    Bundle.from_json(text)
    bundle = json.loads(text)
    envelope = bundle["dsseEnvelope"]
    keyid = envelope["signatures"][0]["keyid"]
    assert bundle["verificationMaterial"]["publicKey"]["hint"] == keyid
    key = SSlibKey.from_crypto(public, keyid=keyid)
    checked = Envelope.from_dict(copy.deepcopy(envelope))
    assert list(checked.verify([key], 1)) == [keyid]
    # The checker refuses what was changed, so its "yes" means something.
    payload = base64.b64decode(envelope["payload"])
    for other in (dict(envelope, payload=base64.b64encode(payload + b" ").decode()), dict(envelope, payloadType="text/plain")):
        assert refused(other, key)
    statement = json_format.Parse(payload, statement_pb2.Statement())
    Statement.copy_from_pb(statement).validate()
    predicate = PREDICATES.get(statement.predicate_type)
    if predicate:
        parsed = json_format.Parse(json.dumps(json.loads(payload)["predicate"]), predicate())
        assert parsed.ListFields()
    print(f"verified {pathlib.Path(path).name} {statement.predicate_type}")
