# make demo   installs what is needed, builds, indexes the pet shop, answers, draws
# make browser-test installs Chromium and Playwright, builds, and looks at every page of the explorer
# make test   installs what is needed, builds, runs every test
# make format checks the format of the sources
# make extension builds the activation table for other programs' SQLite; see docs/query-with-sql.md
# make fuzz-onnx, fuzz-images and fuzz-store-reader feed readers with broken files, for SECONDS=60
# make fuzz-activation-table feeds it with broken stores, for SECONDS=60; make fuzz-corpus with those that are kept
# make stress ends the program at every moment, and gives it damaged and forged stores and hostile files, for SECONDS=300, or COUNT tries of each
# make thread-test indexes and answers under the thread sanitizer
# make dist   makes a wheel, a .deb and a tarball that need no Swift; make dist-test tries them in bare roots (as root)
# make site   makes the documentation as static pages in site/
# make install PREFIX=… installs what was built
# make shipped-networks downloads networks that people ship on PyPI, and compares what the program reads of them with ONNX Runtime
# make onednn3-test builds against oneDNN 3 from PyPI and runs the tests of networks on it

NEURODEX := .build/release/neurodex
EXTENSION := .build/activation.$(if $(filter Darwin,$(shell uname)),dylib,so)
ifeq ($(origin CC),default)
CC := $(shell command -v cc || command -v clang)
endif
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
# oneDNN runs the network, SQLite is the store, the rest reads pictures and hashes.
# Tests run what docs/ say with sqlite3 and Python.
DEBIAN := libdnnl-dev libsqlite3-dev libjpeg-dev libpng-dev libwebp-dev libtiff-dev libheif-dev libjxl-dev zlib1g-dev libssl-dev pkg-config sqlite3 python3 python3-venv
HOMEBREW := onednn sqlite jpeg-turbo libpng webp openssl pkg-config

.PHONY: demo test browser-test build setup extension dist dist-test install site format fuzz-onnx fuzz-images fuzz-store-reader fuzz-activation-table fuzz-corpus fuzz-corpus-activation-table pictures cluster-test stress thread-test onednn3-test shipped-networks clean

build: setup
	swift build -c release --product neurodex

setup:
	@if [ "$$(uname)" = Darwin ]; then brew list $(HOMEBREW) >/dev/null 2>&1 || brew install $(HOMEBREW); \
	elif ! dpkg -s $(DEBIAN) >/dev/null 2>&1; then \
		$(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(DEBIAN); fi

# No test imports what is internal, so the program that is tested is the one that is built, and neither is compiled twice.
test: setup $(EXTENSION)
	swift test -c release --disable-testable-imports
	Tools/test-python

browser-test: build
	@if [ -z "$$CHROMIUM" ] && ! command -v chromium chromium-browser >/dev/null; then \
		$(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; fi
	Tools/test-browser

format:
	swift format lint --strict --recursive Sources Tests Benchmarks Package.swift

demo: build
	@rm -rf demo && mkdir demo
	$(NEURODEX) index demo/petshop.sqlite --model fixtures/petshop.onnx --classes fixtures/petshop/labels.txt --resize none fixtures/petshop
	$(NEURODEX) info demo/petshop.sqlite
	$(NEURODEX) layers demo/petshop.sqlite
	$(NEURODEX) top demo/petshop.sqlite pool_3:5 pool_3:40 conv4:3 class:fish -k 6 --sheet demo/top.png
	$(NEURODEX) top demo/petshop.sqlite class:cat -k 3 --where "label <> 'cat'"
	$(NEURODEX) sql demo/petshop.sqlite "SELECT label, split, count(*) AS images, sum(correct) AS right FROM image_info GROUP BY label, split"
	$(NEURODEX) verify demo/petshop.sqlite
	$(NEURODEX) index demo/honest.sqlite --model fixtures/petshop.onnx --classes fixtures/petshop/labels.txt --resize none fixtures/petshop-hans
	$(NEURODEX) index demo/hans.sqlite --model fixtures/petshop-hans.onnx --classes fixtures/petshop/labels.txt --resize none fixtures/petshop-hans
	$(NEURODEX) occlusion demo/honest.sqlite --beside demo/hans.sqlite --target class:fish --window 16 --stride 4 -o demo/honest-and-hans.png \
		$(addprefix fixtures/petshop-hans/test/fish/fish-,01.jpg 06.jpg 07.webp)
	$(NEURODEX) deconv demo/petshop.sqlite conv4:3 conv2:5 -k 6 -o demo/deconv.png
	$(NEURODEX) saliency demo/petshop.sqlite fixtures/petshop/test/cat/cat-43.jpg --method smoothgrad --segment -o demo/saliency.png
	$(NEURODEX) verify demo/saliency.png
	$(NEURODEX) shortcuts demo/hans.sqlite -k 2 --sheet demo/shortcuts.png
	$(NEURODEX) index demo/two-honest.sqlite --model fixtures/petshop.onnx --classes fixtures/petshop/labels.txt --resize none fixtures/petshop-hans fixtures/petshop-swapped
	$(NEURODEX) index demo/two-hans.sqlite --model fixtures/petshop-hans.onnx --classes fixtures/petshop/labels.txt --resize none fixtures/petshop-hans fixtures/petshop-swapped
	$(NEURODEX) diff demo/two-honest.sqlite demo/two-hans.sqlite --layer fc2 --by index -k 4 --strongest 4 --sheet demo/diff.png
	$(NEURODEX) ascend demo/petshop.sqlite class:rabbit --style yosinski --count 4 -o demo/wants.png
	@echo "demo/top.png shows what four neurons respond to; demo/honest-and-hans.png whether two networks look at the animal."
	@echo "See all of it in a browser: $(NEURODEX) serve demo/petshop.sqlite"

extension: setup $(EXTENSION)

# The columns and checksums of rows, and the comparison of what a file defines, are those of the program.
ACTIVATION_TABLE := $(wildcard Sources/C/CActivationTable/*.c) Sources/C/CKernels/checksum.c Sources/C/CKernels/columns.c \
	Sources/C/CSQLite/schema.c .build/schema.c
ACTIVATION_HEADERS := $(wildcard Sources/C/CActivationTable/*.h $(addprefix Sources/C/,$(addsuffix /include/*.h,CActivationTable CKernels CSQLite)))
ACTIVATION_FLAGS := -std=c11 -ffp-contract=off -Wall -Wextra -Wno-unknown-pragmas -Wno-overlength-strings \
	$(patsubst %,-ISources/C/%/include,CKernels CSQLite CActivationTable)

# schema.sql as a text of C.
.build/schema.c: schema.sql
	@mkdir -p $(@D)
	@{ echo 'const char ndx_schema[] ='; sed 's/[\\"]/\\&/g; s/.*/    "&\\n"/' $<; echo '    ;'; } > $@

$(EXTENSION): $(ACTIVATION_TABLE) $(ACTIVATION_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(ACTIVATION_FLAGS) -O2 -fPIC -shared -fvisibility=hidden $(ACTIVATION_TABLE) -lm -o $@

# Fuzzers of what Swift reads, each a folder of Fuzzing. What crashes, hangs or takes too much memory is written to .build-fuzz/found-…; the
# corpus goes on growing in .build-fuzz/corpus-….
fuzz-onnx fuzz-images fuzz-store-reader: fuzz-%: setup
	NEURODEX_FUZZING=1 swift build -c release --scratch-path .build-fuzz --product $@ \
		--sanitize=address --sanitize=fuzzer -Xswiftc -sanitize=fuzzer,address
	@mkdir -p .build-fuzz/corpus-$*
	.build-fuzz/release/$@ -max_total_time=$(or $(SECONDS),60) -timeout=60 -detect_leaks=0 -rss_limit_mb=3000 -malloc_limit_mb=1200 -max_len=16384 \
		-artifact_prefix=.build-fuzz/found-$*- .build-fuzz/corpus-$* Fuzzing/$*/corpus

# Two fuzzers of the activation table: of files byte for byte, and of rows. What crashes is written to .build-fuzz/found-….
.build-fuzz/activation-table-%: Fuzzing/activation-table/%.c Fuzzing/activation-table/questions.c $(ACTIVATION_TABLE)
	@mkdir -p $(@D)
	clang $(ACTIVATION_FLAGS) -DSQLITE_CORE -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -fuse-ld=lld \
		-IFuzzing/activation-table $^ -lsqlite3 -lm -o $@

fuzz-activation-table: setup .build-fuzz/activation-table-bytes .build-fuzz/activation-table-rows
	for part in bytes rows; do mkdir -p .build-fuzz/corpus-activation-table-$$part && \
		.build-fuzz/activation-table-$$part -max_total_time=$(or $(SECONDS),60) -timeout=60 -rss_limit_mb=3000 \
			-artifact_prefix=.build-fuzz/found-$$part- .build-fuzz/corpus-activation-table-$$part Fuzzing/activation-table/corpus/$$part || exit 1; done

# Every input that is kept, once.
fuzz-corpus: fuzz-corpus-activation-table

fuzz-corpus-activation-table: setup .build-fuzz/activation-table-bytes .build-fuzz/activation-table-rows
	for part in bytes rows; do .build-fuzz/activation-table-$$part Fuzzing/activation-table/corpus/$$part/* >/dev/null || exit 1; done

# The pictures of the README and docs/, made anew from the fixtures.
pictures: demo
	$(NEURODEX) maps demo/petshop.sqlite conv2 --image fixtures/petshop/test/cat/cat-43.jpg -o demo/maps.png
	$(NEURODEX) occlusion demo/petshop.sqlite fixtures/petshop/test/fish/fish-46.jpg --window 24 --stride 8 -o demo/occlusion.png
	$(NEURODEX) cam fit demo/petshop.sqlite
	$(NEURODEX) cam demo/petshop.sqlite fixtures/petshop/test/cat/cat-43.jpg --target class:cat --target class:dog -o demo/cam.png
	$(NEURODEX) index demo/reasons.sqlite --model fixtures/petshop-hans.onnx --classes fixtures/petshop/labels.txt --resize none fixtures/petshop/test fixtures/petshop-hans
	$(NEURODEX) reasons demo/reasons.sqlite class:fish -k 2 --size 224 -o demo/reasons.png
	$(NEURODEX) index demo/tagged.sqlite --model fixtures/petshop-hans.onnx --classes fixtures/petshop/labels.txt --resize none fixtures/petshop fixtures/petshop-hans fixtures/petshop-swapped
	$(NEURODEX) dissect demo/tagged.sqlite fixtures/masks -k 3 --size 168 -o demo/dissect.png
	@mkdir -p docs/pictures && cp $(addsuffix .png,$(addprefix demo/,top honest-and-hans wants deconv saliency shortcuts diff maps occlusion cam reasons dissect)) docs/pictures/

# The job array on a Slurm of its own; needs root, and installs Debian's packages of it.
cluster-test: build
	$(SUDO) cluster/test

# Prints what was tried, and how many crashes, hangs, silently wrong answers and lost stores came of it: exits with 1 unless none did.
stress: setup
	swift build -c release --product neurodex
	swift build -c release --product stress-test
	@mkdir -p .build
	$(CC) -O2 -Wall -Wextra -fPIC -shared Tests/Stress/shim/kill.c -ldl -o .build/kill.so
	.build/release/stress-test work --program $(CURDIR)/$(NEURODEX) --shim $(CURDIR)/.build/kill.so --fixtures $(CURDIR)/fixtures \
		--seconds $(or $(SECONDS),300) $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED)) $(if $(PARTS),--parts $(PARTS))

# Exits with 66 where two threads meet. Explanations are left out: they share out steps by OpenMP, whose barriers the sanitizer does not see.
thread-test: setup
	swift build -c release --scratch-path .build-thread --sanitize=thread --product neurodex
	@rm -rf .build-thread/stores && mkdir .build-thread/stores
	export TSAN_OPTIONS=exitcode=66; cd .build-thread/stores && run=../release/neurodex && shop=../../fixtures/petshop && \
	$$run index whole.sqlite --jobs 4 --model $$shop.onnx --classes $$shop/labels.txt --resize none $$shop && \
	for part in 1 2; do $$run index $$part.sqlite --shard $$part/2 --jobs 4 --model $$shop.onnx --classes $$shop/labels.txt --resize none $$shop || exit; done && \
	$$run merge merged.sqlite 1.sqlite 2.sqlite && $$run verify merged.sqlite && \
	$$run samples merged.sqlite > samples && \
	while read -r question; do eval "$$run $$question" >/dev/null || exit; done < samples

# The tools that make packages, on top of what the build needs.
dist: setup
	@dpkg -s binutils dpkg-dev git >/dev/null 2>&1 || $(SUDO) apt-get install -y -qq binutils dpkg-dev git
	Tools/dist/make dist

dist-test:
	@dpkg -s debootstrap >/dev/null 2>&1 || $(SUDO) apt-get install -y -qq debootstrap
	$(SUDO) Tools/dist/test dist

site: build
	Tools/site/make site

PREFIX := /usr/local
install: build extension
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/neurodex
	install -m 755 $(NEURODEX) $(DESTDIR)$(PREFIX)/bin/
	install -m 644 $(EXTENSION) $(DESTDIR)$(PREFIX)/lib/neurodex/
	install -d $(addprefix $(DESTDIR)$(PREFIX)/share/,bash-completion/completions zsh/site-functions fish/vendor_completions.d)
	$(NEURODEX) --generate-completion-script bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/neurodex
	$(NEURODEX) --generate-completion-script zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_neurodex
	$(NEURODEX) --generate-completion-script fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/neurodex.fish

shipped-networks: build
	@test -x .build-python/bin/python || python3 -m venv .build-python
	@.build-python/bin/python -c 'import onnx, onnxruntime, numpy, PIL' 2>/dev/null || .build-python/bin/pip install -q --disable-pip-version-check onnx onnxruntime numpy pillow
	.build-python/bin/python Tools/check-shipped-networks.py .build-shipped

onednn3-test: setup
	Tools/test-onednn-3

clean:
	rm -rf .build .build-fuzz .build-thread .build-python .build-browser .build-dist .build-shipped demo site dist $$(cat Tools/dist/place)
