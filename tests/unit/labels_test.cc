// AppArmor and SELinux in a spec: how they are written, and what the child is told to write.
#include "runtime/plan/labels.h"

#include <doctest/doctest.h>

#include "tests/unit/hosts.h"
#include "tests/unit/plans.h"
#include "tests/unit/services.h"

namespace jaula::test {
namespace {

using plan::LabelPlan;

constexpr const char* kContext = "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023";

plan::HostFacts with_both() {
  plan::HostFacts facts = root_host();
  facts.apparmor = true;
  facts.selinux_context = kContext;
  return facts;
}

std::string written(const Services& services, const std::string& options,
                    const plan::HostFacts& host) {
  const LabelPlan plan =
      plan::make_label_plan(services.config("security_opt: [" + options + "]"), host);
  std::string text = services.problems(plan.problems);
  for (const isolation::LsmLabel& label : plan.labels) text += label.file + "=" + label.text + "\n";
  return text;
}

}  // namespace

TEST_CASE("labels: a profile is told to AppArmor alone, at the next execve") {
  const Services services;
  CHECK_EQ(written(services, "apparmor=docker-default", with_both()),
           "attr/apparmor/exec=exec docker-default\n");
  CHECK_EQ(written(services, "'apparmor:a profile//child'", with_both()),
           "attr/apparmor/exec=exec a profile//child\n");
  CHECK_EQ(written(services, "apparmor=unconfined", with_both()),
           "attr/apparmor/exec=exec unconfined\n");
}

TEST_CASE("labels: what a label does not name of a context is jaula's own") {
  const Services services;
  CHECK_EQ(written(services, "'label=type:container_t'", with_both()),
           "attr/exec=unconfined_u:unconfined_r:container_t:s0-s0:c0.c1023\n");
  CHECK_EQ(written(services,
                   "'label=user:system_u', 'label=role:system_r', 'label:type:container_t', "
                   "'label=level:s0:c1,c2'",
                   with_both()),
           "attr/exec=system_u:system_r:container_t:s0:c1,c2\n");
  plan::HostFacts host = with_both();
  host.selinux_context = "a:b:c";
  CHECK_EQ(written(services, "'label=type:t'", host), "attr/exec=a:b:t\n");
  CHECK_EQ(written(services, "label=disable", with_both()), "");
}

TEST_CASE("labels: a host without the module refuses what it cannot set, with its line") {
  const Services services;
  CHECK_EQ(written(services, "apparmor=web, 'label=type:t'", root_host()),
           "web.yaml:5:20: services.web.security_opt[0]: this kernel runs without AppArmor: the "
           "profile web cannot be set\n"
           "web.yaml:5:34: services.web.security_opt[1]: this kernel runs without SELinux: the "
           "label cannot be set\n");
  CHECK_EQ(written(services, "apparmor=unconfined, label=disable", root_host()), "");
}

TEST_CASE("labels: exec is told the same as the jail") {
  const Services services;
  const spec::JailConfig config =
      services.config("security_opt: [apparmor=web, 'label=type:t']\npersonality: linux32");
  const auto jail = plan::make_plan(config, with_both(), options()).plan;
  const auto joining = plan::make_exec_plan(config, with_both(), options()).plan;
  REQUIRE_EQ(jail.labels.size(), 2);
  REQUIRE_EQ(joining.labels.size(), 2);
  for (std::size_t i = 0; i < 2; ++i) CHECK_EQ(jail.labels[i].text, joining.labels[i].text);
  CHECK_EQ(joining.personality.domain, 8);  // PER_LINUX32
}

TEST_CASE("labels: the modules of a host are known by what they show of themselves") {
  const Services services;
  const Scratch scratch;
  plan::HostSources sources;
  sources.apparmor = scratch / "enabled";
  sources.file_systems = scratch / "filesystems";
  sources.context = scratch / "current";
  const spec::JailConfig config = services.config("security_opt: [apparmor=web, 'label=type:t']");
  CHECK_FALSE(plan::probe_for(config, sources).apparmor);
  put_file(scratch / "enabled", "N\n");
  CHECK_FALSE(plan::probe_for(config, sources).apparmor);
  put_file(scratch / "enabled", "Y\n");
  CHECK(plan::probe_for(config, sources).apparmor);
  put_file(scratch / "current", std::string("a:b:c:s0\0", 9));
  put_file(scratch / "filesystems", "nodev\tsysfs\n\text4\n");
  CHECK_EQ(plan::probe_for(config, sources).selinux_context, "");
  put_file(scratch / "filesystems", "nodev\tsysfs\nnodev\tselinuxfs\n");
  CHECK_EQ(plan::probe_for(config, sources).selinux_context, "a:b:c:s0");
}

}  // namespace jaula::test
