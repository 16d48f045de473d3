// Doing once, in a child of its own, what a jail will need. Parent side. user_namespaces(7),
// mount_setattr(2)
#pragma once

#include "runtime/plan/kernel_facts.h"

namespace jaula::plan {

Trial try_user_namespace();
Trial try_proc();
Trial try_overlay();
Trial try_keyring();
Trial try_idmapped_root();
Trial try_idmapped_tmpfs();
Trial try_device_program();
Trial try_core_scheduling();

}  // namespace jaula::plan
