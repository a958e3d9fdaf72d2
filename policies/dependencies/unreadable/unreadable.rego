# METADATA
# title: Manifests can be read
# description: A manifest that cannot be read is a manifest that nothing has checked.
# scope: package
# custom:
#   code: dependencies/unreadable
#   effect: warn
#   help: Mend the file; the package manager says where it is wrong.
#   since: 0.1.0
package orch.dependencies.unreadable

import data.orch.lib.facts

warn contains facts.finding(fact) if some fact in facts.of("dependencies/unreadable")
