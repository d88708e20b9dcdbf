// What the registry tells: everybody who watches learns it, and a deployment that follows an alias looks at once where
// it points.
#pragma once

#include <atomic>

#include "domain/events.h"
#include "serving/serving.h"

namespace slipway::server {

class ModelChanges : public EventSink {
 public:
  /// Outlives this.
  explicit ModelChanges(EventSink& everybody) : everybody_(everybody) {}

  /// From now on; null: nobody follows.
  void follow(serving::Serving* serving) { serving_ = serving; }

  void emit(const Event& event) override {
    serving::Serving* const serving = serving_;
    if (event.kind == EventKind::model_changed && serving) serving->poke();
    everybody_.emit(event);
  }

 private:
  EventSink& everybody_;
  std::atomic<serving::Serving*> serving_{nullptr};
};

}  // namespace slipway::server
