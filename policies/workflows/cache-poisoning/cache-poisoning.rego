# METADATA
# title: What is published is not built from a cache
# description: A cache is filled by other jobs; one of them may have run the code of a stranger.
# scope: package
# custom:
#   code: workflows/cache-poisoning
#   effect: warn
#   severity: medium
#   help: Build releases without a restored cache.
#   since: 0.1.0
package orch.workflows.cache_poisoning

import data.orch.lib.facts

warn contains facts.finding(fact) if {
	some fact in facts.of("workflows/cache-poisoning")
}
