// jaula's own file, kept out of the reach of a jail whose root may write it outside: one of root's
// without a user namespace or with a map of the spec's, and one of a user who may write it. Parent
// side. CVE-2019-5736, memfd_create(2)
#pragma once

#include "runtime/base/result.h"
#include "runtime/spec/jail_config.h"

namespace jaula {

// A process of the jail that executes /proc/self/exe holds the file of this program: so this
// command executes itself anew, from a read-only mount that is attached nowhere, or a sealed copy
// in memory. Returns when there is nothing to do, or it did not work. To be called before anything
// is read, opened or made that is not had twice.
Result<void> protect_own_file(const spec::JailConfig& config);
Result<void> protect_own_file();  // for what may turn out to be such a jail

}  // namespace jaula
