package orch.content.hidden_unicode_test

import data.orch.content.hidden_unicode as rule

doc(text) := {"changes": [{"path": "a", "added": [{"line": 3, "text": text}]}]}

test_plain if count(rule.deny) == 0 with input as doc("let a = 1; // plain")

test_other_scripts if count(rule.deny) == 0 with input as doc("日本語 עברית العربية ü €")

test_bidi if count(rule.deny) == 1 with input as doc("a \u202e b")

test_zero_width if count(rule.deny) == 1 with input as doc("is\u200bAdmin")

test_joiner_in_a_name if count(rule.deny) == 1 with input as doc("is\u200dAdmin")

test_joiner_in_an_emoji if count(rule.deny) == 0 with input as doc("👩‍💻")

test_tag if count(rule.deny) == 1 with input as doc("x\udb40\udc41")

test_mark_at_the_start_of_a_file if count(rule.deny) == 0 with input as doc("\ufeffusing System;")

test_mark_inside if count(rule.deny) == 1 with input as doc("a\ufeffb")
