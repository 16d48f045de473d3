#include "runtime/denials.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <optional>

#include "runtime/base/mutant.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace jaula {
namespace {

constexpr const char* kName = "denials";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kProcessName = 16;  // TASK_COMM_LEN

// A number is written once, by whoever takes the slot; the count only grows. What is told of the
// last call has a sequence around it, odd while somebody writes.
struct alignas(128) Slot {
  std::uint32_t taken;  // the call's number + 1; 0: free, and so are those after it
  std::uint32_t sequence;
  std::uint64_t count;
  std::int64_t first, last;
  std::uint64_t arguments[6];
  std::int32_t pid;
  char process[kProcessName];
};

template <class T>
std::atomic_ref<T> shared(T& value) noexcept {
  static_assert(std::atomic_ref<T>::is_always_lock_free);
  return std::atomic_ref<T>(value);
}

}  // namespace

// Four pages of a file. It belongs to the monitor and every `exec` at once, and is read at any
// time.
struct DenialTable {
  struct alignas(128) {
    std::uint32_t version;
    std::uint32_t unreported;
    std::uint64_t others;
  } head;
  Slot slots[127];
};
static_assert(sizeof(DenialTable) == 16384);

namespace {

DenialTable* map_table(int file, int protection) noexcept {
  void* const at = ::mmap(nullptr, sizeof(DenialTable), protection, MAP_SHARED, file, 0);
  return at == MAP_FAILED ? nullptr : static_cast<DenialTable*>(at);
}

// Room is taken beforehand: a page that a full file system has no room for would be a SIGBUS.
DenialTable* make_table(int directory) noexcept {
  const Result<Fd> file = sys::openat(directory, kName, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
  if (!file || ::fallocate(file->get(), 0, 0, sizeof(DenialTable)) < 0) return nullptr;
  DenialTable* table = map_table(file->get(), PROT_READ | PROT_WRITE);
  if (table != nullptr) shared(table->head.version).store(kVersion);
  return table;
}

Slot* slot_of(DenialTable& table, std::uint32_t number) noexcept {
  for (Slot& slot : table.slots) {
    std::uint32_t expected = 0;
    if (shared(slot.taken).compare_exchange_strong(expected, number + 1)) return &slot;
    if (expected == number + 1) return &slot;
  }
  return nullptr;
}

// The structs may grow: what a newer kernel writes, or reads as zeros, has room.
union Report {
  seccomp_notif call;
  char room[512];
};
union Answer {
  seccomp_notif_resp call;
  char room[512];
};

// nullopt: the caller died meanwhile, or nobody is left to call.
std::optional<seccomp_notif> receive(int listener) noexcept {
  Report report{.room = {}};
  if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &report) < 0) return std::nullopt;
  return report.call;
}

// Never SECCOMP_USER_NOTIF_FLAG_CONTINUE: what was denied stays denied.
void answer(int listener, std::uint64_t id) noexcept {
  Answer answer{.room = {}};
  answer.call.id = id;
  answer.call.error = -EPERM;
  if (mutant("denials answered")) {
    answer.call.error = 0;
    answer.call.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  }
  ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);  // or the caller died meanwhile
}

void read_process_name(std::uint32_t pid, char (&name)[kProcessName]) noexcept {
  char path[32] = "/proc/";
  char digits[16];
  std::size_t count = 0;
  for (std::uint32_t rest = pid; rest != 0; rest /= 10)
    digits[count++] = static_cast<char>('0' + rest % 10);
  char* end = path + std::strlen(path);
  while (count > 0) *end++ = digits[--count];
  std::strcpy(end, "/comm");  // NOLINT: it fits, and the rest of the path is zeros
  const Result<Fd> file = sys::open(path, O_RDONLY);
  char text[kProcessName] = {};
  const ssize_t got = file ? ::read(file->get(), text, sizeof text) : 0;
  if (got > 0 && text[got - 1] == '\n') text[got - 1] = '\0';
  std::memcpy(name, text, sizeof text);
}

void record(DenialTable& table, const seccomp_notif& call,
            const char (&process)[kProcessName]) noexcept {
  Slot* const slot = slot_of(table, static_cast<std::uint32_t>(call.data.nr));
  if (slot == nullptr) {
    shared(table.head.others).fetch_add(1);
    return;
  }
  std::uint32_t sequence = shared(slot->sequence).load();
  const bool ours =
      sequence % 2 == 0 && shared(slot->sequence).compare_exchange_strong(sequence, sequence + 1);
  if (ours) {  // otherwise another call is the last
    const std::int64_t now = now_nanoseconds();
    if (slot->first == 0) shared(slot->first).store(now);
    shared(slot->last).store(now);
    for (std::size_t i = 0; i < 6; ++i)
      shared(slot->arguments[i]).store(static_cast<std::uint64_t>(call.data.args[i]));
    shared(slot->pid).store(static_cast<std::int32_t>(call.pid));
    std::memcpy(slot->process, process, sizeof process);
  }
  shared(slot->count).fetch_add(1);
  if (ours) shared(slot->sequence).store(sequence + 2);
}

Denial read_slot(Slot& slot) {
  constexpr int kTries = 100;  // a writer may have died in between: then the last call is mixed
  Denial denial;
  for (int i = 0; i < kTries; ++i) {
    const std::uint32_t sequence = shared(slot.sequence).load();
    denial.number = static_cast<int>(shared(slot.taken).load()) - 1;
    denial.count = shared(slot.count).load();
    denial.first = shared(slot.first).load();
    denial.last = shared(slot.last).load();
    for (std::size_t k = 0; k < 6; ++k) denial.arguments[k] = shared(slot.arguments[k]).load();
    denial.pid = shared(slot.pid).load();
    denial.process.assign(slot.process, ::strnlen(slot.process, sizeof slot.process));
    if (sequence % 2 == 0 && shared(slot.sequence).load() == sequence) break;
  }
  return denial;
}

std::int64_t monotonic() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

Denials read_denials(int directory) {
  Denials denials;
  const Result<Fd> file = sys::openat(directory, kName, O_RDWR | O_NOFOLLOW);
  if (!file) return denials;
  const Result<struct stat> info = sys::fstat(file->get());
  if (!info || info->st_size < static_cast<off_t>(sizeof(DenialTable))) return denials;
  // Writable, for an atomic load is not const; nothing is written.
  DenialTable* const table = map_table(file->get(), PROT_READ | PROT_WRITE);
  if (table == nullptr) return denials;
  if (shared(table->head.version).load() == kVersion) {
    denials.reported = shared(table->head.unreported).load() == 0;
    denials.others = shared(table->head.others).load();
    for (Slot& slot : table->slots) {
      if (shared(slot.taken).load() == 0) break;
      if (shared(slot.count).load() != 0) denials.calls.push_back(read_slot(slot));
    }
  }
  ::munmap(table, sizeof *table);
  return denials;
}

void record_unreported(int directory) noexcept {
  DenialTable* const table = make_table(directory);
  if (table == nullptr) return;
  shared(table->head.unreported).store(1);
  ::munmap(table, sizeof *table);
}

void Allowance::take(std::int64_t now) noexcept {
  if (now - begin_ >= kPeriod) {
    begin_ = now;
    taken_ = 0;
  }
  ++taken_;
}

std::int64_t Allowance::pause(std::int64_t now) const noexcept {
  if (taken_ < kReports || now - begin_ >= kPeriod) return 0;
  return begin_ + kPeriod - now;
}

DenialRecorder::~DenialRecorder() {
  if (table_ != nullptr) ::munmap(table_, sizeof *table_);
}

int DenialRecorder::wanted(int& pause) const noexcept {
  pause = -1;
  if (listener_ < 0) return -1;
  const std::int64_t rest = allowance_.pause(monotonic());
  if (rest == 0) return listener_;
  pause = static_cast<int>(rest / 1'000'000) + 1;
  return -1;
}

void DenialRecorder::step(short revents) noexcept {
  if ((revents & POLLIN) == 0) {  // nobody under the filter is left
    listener_ = -1;
    return;
  }
  const auto call = receive(listener_);
  if (!call) return;
  allowance_.take(monotonic());
  char process[kProcessName] = {};
  read_process_name(call->pid, process);
  // Was it the caller's name, or that of a later process with its number?
  std::uint64_t id = call->id;
  if (::ioctl(listener_, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) < 0) process[0] = '\0';
  if (table_ == nullptr) table_ = make_table(directory_);
  // Before the answer: who has it finds the call counted.
  if (table_ != nullptr) record(*table_, *call, process);
  answer(listener_, call->id);
}

}  // namespace jaula
