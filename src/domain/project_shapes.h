// The grammar of slipway.yaml as a table (see grammar.h). Keys are added here; project_file.cc turns the checked values
// into structs and project_render.cc turns them back.
#pragma once

#include "domain/grammar.h"

namespace slipway::shapes {

const ShapePtr& environment();
const ShapePtr& dataset();
const ShapePtr& step();
const ShapePtr& resources();
const ShapePtr& pipeline();
const ShapePtr& project_file();

}  // namespace slipway::shapes
