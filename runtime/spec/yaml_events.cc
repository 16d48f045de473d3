#include "runtime/spec/yaml_events.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <map>
#include <sstream>
#include <utility>

#include "runtime/spec/characters.h"

namespace jaula::spec {
namespace {

constexpr std::string_view kCoreTags = "tag:yaml.org,2002:";

struct Refused {  // thrown by the handler to leave yaml-cpp
  Misread what;
};

[[noreturn]] void refuse(const Place& place, std::string text) {
  throw Refused{{place, std::move(text)}};
}

// What a node costs once its aliases are expanded.
struct Extent {
  std::size_t nodes = 0;
  std::size_t text = 0;
  std::size_t height = 0;  // collections in collections

  void add(const Extent& child) {
    nodes += child.nodes;
    text += child.text;
    height = std::max(height, child.height);
  }
};

// Marks of yaml-cpp count bytes; people and editors count characters. Marks come in order, so
// counting goes on from the last one of the line.
class PlaceFinder {
 public:
  explicit PlaceFinder(std::string_view text) : text_(text) {}

  Place place_of(const YAML::Mark& mark) {
    if (mark.is_null()) return {};
    if (mark.line != line_ || mark.column < bytes_) {
      line_ = mark.line;
      bytes_ = 0;
      characters_ = 0;
    }
    const int line_start = mark.pos - mark.column;
    const auto from = static_cast<std::size_t>(line_start) + static_cast<std::size_t>(bytes_);
    const auto size = static_cast<std::size_t>(mark.column) - static_cast<std::size_t>(bytes_);
    characters_ += count_characters(text_.substr(std::min(from, text_.size()), size));
    bytes_ = mark.column;
    return {.line = mark.line + 1, .column = characters_ + 1};
  }

 private:
  std::string_view text_;
  int line_ = -1;
  int bytes_ = 0;
  int characters_ = 0;
};

class Recorder final : public YAML::EventHandler {
 public:
  explicit Recorder(std::string_view text) : places_(text) {}

  std::vector<Event> take() && { return std::move(events_); }
  Place place_of(const YAML::Mark& mark) { return places_.place_of(mark); }

  // yaml-cpp finds a bracket missing at the end of the text; the hand looks for its opening one.
  Place place_of(const YAML::Exception& error) {
    const bool unclosed = error.msg.ends_with("flow not found") && !open_.empty();
    return unclosed ? open_.back().place : place_of(error.mark);
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (seen_) refuse(place_of(mark), "a spec is one YAML document; another starts here");
    seen_ = true;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add_leaf({.kind = Event::Kind::kNull, .place = place_of(mark), .text = {}}, anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Event event{.kind = Event::Kind::kScalar, .place = place_of(mark), .text = value};
    if (value.find('\0') != std::string::npos) refuse(event.place, "a NUL character");
    // yaml-cpp makes one byte of "\N" and "\_".
    if (find_invalid_utf8(value) != std::string::npos)
      refuse(event.place, "an escape that gives no valid UTF-8; write the character itself");
    resolve_tag(tag, event);
    add_leaf(std::move(event), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(Event::Kind::kSequence, "seq", tag, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(Event::Kind::kMapping, "map", tag, mark, anchor);
  }
  void OnMapEnd() override { close(); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const Anchored& target = anchors_.at(anchor);
    const Place place = place_of(mark);
    if (!target.complete) refuse(place, "an alias inside what it stands for");
    charge(target.extent, place);
    events_.push_back(
        {.kind = Event::Kind::kAlias, .place = place, .text = {}, .target = target.event});
  }

 private:
  struct Anchored {
    std::size_t event = 0;
    Extent extent;
    bool complete = false;
  };
  struct Open {
    Place place;
    YAML::anchor_t anchor = 0;
    Extent extent;
  };

  void charge(const Extent& extent, const Place& place) {
    total_.add(extent);
    if (total_.nodes > kMaxNodes || total_.text > kMaxTextBytes)
      refuse(place, "more than 100000 nodes or 4 MiB of text, with aliases expanded");
    if (open_.size() + extent.height > kMaxDepth) refuse(place, "nested more than 64 levels deep");
    if (!open_.empty()) open_.back().extent.add(extent);
  }

  void add_leaf(Event event, YAML::anchor_t anchor) {
    const Extent extent{.nodes = 1, .text = event.text.size(), .height = 0};
    charge(extent, event.place);
    if (anchor != 0) anchors_[anchor] = {events_.size(), extent, true};
    events_.push_back(std::move(event));
  }

  void open(Event::Kind kind, std::string_view core_tag, const std::string& tag,
            const YAML::Mark& mark, YAML::anchor_t anchor) {
    const Place place = place_of(mark);
    if (tag != "?" && tag != "!" && tag != std::string(kCoreTags).append(core_tag))
      refuse(place, "unsupported tag `" + clipped(tag) + '`');
    charge({.nodes = 1, .text = 0, .height = 1}, place);
    if (anchor != 0) anchors_[anchor] = {events_.size(), {}, false};
    open_.push_back({place, anchor, {.nodes = 1, .text = 0, .height = 0}});
    events_.push_back({.kind = kind, .place = place, .text = {}});
  }

  void close() {
    Open closed = open_.back();
    ++closed.extent.height;
    open_.pop_back();
    if (closed.anchor != 0) {
      anchors_[closed.anchor].extent = closed.extent;
      anchors_[closed.anchor].complete = true;
    }
    if (!open_.empty()) {
      --closed.extent.nodes;  // was added when it was opened
      open_.back().extent.add(closed.extent);
    }
    events_.push_back({.kind = Event::Kind::kEnd, .place = {}, .text = {}});
  }

  // yaml-cpp's tag of a plain scalar is "?", of a quoted one "!".
  static void resolve_tag(std::string_view tag, Event& event) {
    event.plain = tag == "?";
    if (tag == "?" || tag == "!") return;
    const std::string_view name =
        tag.starts_with(kCoreTags) ? tag.substr(kCoreTags.size()) : std::string_view();
    if (name == "str") return;
    if (name != "int" && name != "float" && name != "bool" && name != "null")
      refuse(event.place, "unsupported tag `" + clipped(tag) + '`');
    event.plain = true;
    if (name == "null" && event.text.empty()) event.kind = Event::Kind::kNull;
  }

  PlaceFinder places_;
  std::vector<Event> events_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  Extent total_;
  bool seen_ = false;
};

// yaml-cpp speaks of its tokens; this speaks of what the hand did.
std::string explained(std::string_view message) {
  static constexpr std::pair<std::string_view, std::string_view> kMeanings[] = {
      {"illegal map value", "a `:` that makes no key here; quote the value or fix the indentation"},
      {"illegal block entry",
       "a `-` that makes no item here; quote the value or fix the indentation"},
      {"end of map not found", "this does not go on the mapping above; fix the indentation"},
      {"end of sequence not found", "this does not go on the list above; fix the indentation"},
      {"end of map flow not found", "a `{` is not closed"},
      {"end of sequence flow not found", "a `[` is not closed"},
      {"illegal EOF in scalar", "a quote is not closed"},
      {"illegal tab when looking for indentation", "a tab does not indent; use spaces"},
      {"unknown token", "no value begins with this character; quote the value"}};
  for (const auto& [said, meant] : kMeanings)
    if (message == said) return std::string(meant);
  return std::string(message);
}

}  // namespace

EventList record_events(std::string_view text) {
  EventList list;
  Recorder recorder(text);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(recorder)) {
    }
    list.events = std::move(recorder).take();
  } catch (const Refused& refused) {
    list.errors.push_back(refused.what);
  } catch (const YAML::Exception& error) {
    list.errors.push_back({recorder.place_of(error), "not valid YAML: " + explained(error.msg)});
  } catch (const std::exception& error) {
    list.errors.push_back({{}, std::string("not valid YAML: ") + error.what()});
  }
  return list;
}

}  // namespace jaula::spec
