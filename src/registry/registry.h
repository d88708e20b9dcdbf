// The front door of registry: named, versioned things, all scoped by project. Bytes lie in the store; here are their
// names. MLflow's logged models are tracking's, because their metrics are a run's; their files are artifacts and so are
// here.
#pragma once

#include "base/clock.h"
#include "catalog/catalog.h"
#include "domain/events.h"
#include "registry/artifacts.h"        // IWYU pragma: export
#include "registry/change_listener.h"  // IWYU pragma: export
#include "registry/datasets.h"         // IWYU pragma: export
#include "registry/lineage.h"          // IWYU pragma: export
#include "registry/models.h"           // IWYU pragma: export
#include "registry/references.h"       // IWYU pragma: export
#include "registry/samples.h"          // IWYU pragma: export
#include "store/store.h"

namespace slipway::registry {

/// What the parts share. Everything given here outlives it. Thread-safe.
class Registry {
 public:
  Registry(catalog::Database& database, store::Store& store, const Clock& clock, EventSink* events = nullptr,
           ChangeListener* listener = nullptr)
      : store_(store),
        artifacts_(database, store, clock, events),
        models_(database, store, artifacts_, clock, events, listener),
        datasets_(database, store, clock, events),
        samples_(datasets_, store),
        lineage_(database, clock),
        references_(database, store) {}

  store::Store& store() { return store_; }
  Artifacts& artifacts() { return artifacts_; }
  Models& models() { return models_; }
  Datasets& datasets() { return datasets_; }
  Samples& samples() { return samples_; }
  Lineage& lineage() { return lineage_; }
  References& references() { return references_; }

 private:
  store::Store& store_;
  Artifacts artifacts_;
  Models models_;
  Datasets datasets_;
  Samples samples_;
  Lineage lineage_;
  References references_;
};

}  // namespace slipway::registry
