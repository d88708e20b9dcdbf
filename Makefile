# The commands people type. Each installs what it needs first; the work is in CMake, tools/ and tests/.
.DEFAULT_GOAL := help
.PHONY: help build ui test demo bench bench-tracking check-deep install package format clean
SHELL := /bin/bash
PREFIX ?= /usr/local
export PATH := $(CURDIR)/.deps/node/bin:$(CURDIR)/.deps/uv/bin:$(PATH)

help:                ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

build:               ## the optimised programs, in build/release/bin
	@tools/bootstrap build
	@tools/build release

test:                ## all tests; the last line counts them
	@tools/bootstrap build test clients demo
	@tests/run $(STAGES)

demo: build          ## the main job on real digits, from data to a watched model (EXIT=1: end after the last step)
	@tools/bootstrap demo
	@tools/demo $(if $(EXIT),--exit)

bench: build         ## the figures of the budgets, each beside its peer
	@tools/bootstrap bench clients peers demo
	@bench/run $(BENCHES)

bench-tracking: build ## only the tracking figures (LARGE="100000x100 …": also with so many runs x metrics)
	@tools/bootstrap bench clients peers
	@bench/tracking $(foreach size,$(LARGE),--large $(size))

check-deep:          ## thread sanitizer, Clang and clang-tidy, 100 rounds of recovery, long fuzzing
	@tools/bootstrap build test clients demo deep
	@tools/check_deep

install: build       ## into PREFIX (default /usr/local)
	cmake --install build/release --prefix "$(DESTDIR)$(PREFIX)" --strip

package: build       ## a .deb and a tarball, in build/packages
	@tools/bootstrap package
	@packaging/build

format:              ## clang-format over src and include
	@tools/bootstrap deep
	@git ls-files 'src/*.h' 'src/*.cc' 'include/*.h' | xargs clang-format-16 -i

clean:               ## remove what was built (what was fetched stays in .deps)
	rm -rf build ui/dist tests/output
