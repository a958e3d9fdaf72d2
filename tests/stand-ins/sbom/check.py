"""Validates a bill of materials with the tools of the two specifications' own projects: check.py cyclonedx|spdx FILE."""
import sys

form, path = sys.argv[1:]
text = open(path, encoding="utf-8").read()
if form == "cyclonedx":
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    wrong = [str(error)] if error else []
else:
    from spdx_tools.spdx.parser.error import SPDXParsingError
    from spdx_tools.spdx.parser.json import json_parser
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    try:
        document = json_parser.parse_from_file(path)
        wrong = [message.validation_message for message in validate_full_spdx_document(document)]
    except SPDXParsingError as error:
        wrong = error.get_messages()
print("\n".join(wrong))
sys.exit(bool(wrong))
