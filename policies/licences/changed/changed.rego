# METADATA
# title: The licence of the repository stays
# description: What the root's manifests and licence texts say the repository is published under became something else.
# scope: package
# custom:
#   code: licences/changed
#   effect: require_approval
#   severity: high
#   help: Let whoever has the rights agree to the new licence; else restore the old text and manifest.
#   since: 0.1.0
package orch.licences.changed

import data.orch.lib.facts

require_approval contains facts.finding(fact) if some fact in facts.of("licences/changed")
