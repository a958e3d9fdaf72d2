package orch.lib.dependencies_test

import data.orch.lib.dependencies as lib

test_name if lib.matches(["npm:left-pad"], "npm:left-pad")

test_scope if lib.matches(["npm:@acme/*"], "npm:@acme/x")

test_other if not lib.matches(["npm:@acme/*"], "npm:@other/x")

test_vouched if lib.vouched({"attributes": {"id": "npm:a"}}) with input as {"settings": {"dependencies_allow": ["npm:a"]}}

test_without_id if not lib.vouched({"attributes": {}}) with input as {"settings": {"dependencies_allow": ["npm:a"]}}
