# t/run: what goes wrong in a test must not go unseen.

load lib

# A tree with the real runner and nothing to run but what a test adds.
setup() {
	tmp
	mkdir -p t/unit t/fuzz build/test/t build/clang/fuzz
	cp "$top/t/run" "$top/t/lib.bash" t
	printf '#!/bin/sh\n' >t/tidy
	chmod +x t/tidy
}

# unit NAME, fuzz NAME: a "program" whose text is on stdin.
unit() { : >"t/unit/$1.c"; prog "build/test/t/$1"; }
fuzz() { : >"t/fuzz/$1.c"; prog "build/clang/fuzz/$1"; }
prog() {
	{ echo '#!/bin/bash'; cat; } >"$1"
	chmod +x "$1"
}

# A .bats file from stdin; bats would take a line with @test for one of ours.
tests() { sed 's/^%test/@test/' >t/20-a.bats; }

runner() {
	run env -u EHR_TEST_JOB TMPDIR="$BATS_TEST_TMPDIR" \
	    "$@" t/run
	last=${lines[-1]}
}

@test "what passes is counted, and the last line says so" {
	unit one <<<'echo ok one 3 checks'
	fuzz f <<<'echo Done 12 runs in 3 second\(s\)'
	tests <<-'END'
	%test "first" { true; }
	%test "second" { true; }
	END
	runner env
	[ "$status" -eq 0 ]
	[ "$last" = "5 passed, 0 failed" ]
	[[ $output == *"t/unit/one.c"*"3 checks"* ]]
	[[ $output == *"t/fuzz/f.c"*"12 runs"* ]]
}

@test "nothing that ran is no success" {
	run env TMPDIR="$BATS_TEST_TMPDIR" t/run t/unit/none*.c
	[ "$status" -eq 1 ]
	[ "${lines[-1]}" = "0 passed, 0 failed" ]
}

@test "a failed test is shown in full, with how to run it alone" {
	tests <<-'END'
	%test "good" { true; }
	%test "bad (one) it's" {
		echo "what it said"
		false
	}
	END
	runner env EHR_AGAIN="make asan"
	[ "$status" -eq 1 ]
	[ "$last" = "2 passed, 1 failed" ]
	[[ $output == *"what it said"* ]]
	[[ $output == *"make asan T=t/20-a.bats F='bad .one. it.s'"* ]]
	# And these words do run that test alone.
	F='bad .one. it.s' runner env
	[ "$last" = "1 passed, 1 failed" ]
}

@test "a skipped test is counted and shown" {
	tests <<-'END'
	%test "here" { true; }
	%test "not here" { skip "no such thing"; }
	END
	unit two <<<'echo skip two: no samples'
	runner env
	[ "$status" -eq 0 ]
	[ "$last" = "2 passed, 0 failed, 2 skipped" ]
	[[ $output == *"not here # skip no such thing"* ]]
	[[ $output == *"skip two: no samples"* ]]
}

@test "a file that does not load has failed" {
	printf '@test "a" {\n' >t/20-a.bats
	runner env
	[ "$status" -eq 1 ]
	[[ $last == *", "[1-9]*" failed" ]]
}

@test "a file whose code outside of tests ends has failed" {
	printf 'exit 0\n@test "a" { true; }\n' >t/20-a.bats
	runner env
	[ "$status" -eq 1 ]
	[[ $last == *", "[1-9]*" failed" ]]
}

@test "a file without a test has failed" {
	echo '# nothing' >t/20-a.bats
	runner env
	[ "$status" -eq 1 ]
	[ "$last" = "1 passed, 1 failed" ]
}

@test "tests that a failed set-up keeps from running have failed" {
	tests <<-'END'
	setup_file() { false; }
	%test "a" { true; }
	%test "b" { true; }
	%test "c" { true; }
	END
	runner env
	[ "$last" = "1 passed, 3 failed" ]
}

@test "unit: a crash, silence and exit 0 without a result have failed" {
	unit crash <<<'kill -SEGV $$'
	unit quiet <<<'exit 0'
	unit early <<<'echo ok early 1 checks; echo more; exit 0'
	unit lies <<<'echo ok lies 1 checks; exit 1'
	: >t/unit/missing.c
	runner env
	[ "$last" = "1 passed, 5 failed" ]
	[[ $output == *"exit status 139"* ]]
	[[ $output == *"T=t/unit/crash.c"* ]]
}

@test "a hang fails" {
	unit slow <<<'sleep 60'
	tests <<-'END'
	%test "hangs" { sleep 60; }
	%test "good" { true; }
	END
	SECONDS=0
	runner env TEST_SECONDS=1
	[ "$SECONDS" -lt 30 ]
	[ "$last" = "2 passed, 2 failed" ]
	[[ $output == *"it took too long"* ]]
}

@test "a process that outlives its test fails it, and is ended" {
	unit leaves <<-END
	setsid sleep 61.$$ >/dev/null 2>&1 &
	echo ok leaves 1 checks
	END
	runner env
	[ "$last" = "2 passed, 1 failed" ]
	[[ $output == *"left running: sleep 61.$$"* ]]
	run pgrep -f "^sleep 61.$$"
	[ "$status" -eq 1 ]
}

@test "a report of a sanitizer fails, whatever the test makes of it" {
	unit hides <<-'END'
	log=$(sed 's/.*log_path=//' <<<"$ASAN_OPTIONS")
	echo "ERROR: AddressSanitizer: overflow" >"$log.123"
	echo ok hides 1 checks
	END
	runner env
	[ "$last" = "2 passed, 1 failed" ]
	[[ $output == *"AddressSanitizer: overflow"* ]]
}

@test "a fuzz target that finds something fails, with the input" {
	fuzz bad <<-'END'
	echo "==1==ERROR: libFuzzer: deadly signal"
	echo "Test unit written to build/clang/found/bad-crash-1"
	exit 77
	END
	runner env
	[ "$last" = "1 passed, 1 failed" ]
	[[ $output == *"alone: build/clang/fuzz/bad build/clang/found/bad-crash-1"* ]]
}

@test "findings of tidy fail, and are shown" {
	printf '#!/bin/sh\necho lib/a.c:1: odd\nexit 1\n' >t/tidy
	runner env
	[ "$status" -eq 1 ]
	[ "$last" = "0 passed, 1 failed" ]
	[[ $output == *"lib/a.c:1: odd"* ]]
}

@test "the simulator runs when it has sources" {
	mkdir t/sim
	: >t/sim/sim.c
	prog build/test/t/sim <<<'echo "$@" are fine'
	runner env SIM_SEEDS=7
	[ "$last" = "2 passed, 0 failed" ]
	[[ $output == *"--seeds 7 are fine"* ]]
	prog build/test/t/sim <<<'echo seed 5 forks; exit 1'
	runner env
	[ "$last" = "1 passed, 1 failed" ]
	[[ $output == *"seed 5 forks"* ]]
}

@test "tests see no settings, input, terminal or make of who runs them" {
	unit clean <<-'END'
	[ -z "${EHR_DIR-}${MAKEFLAGS-}" ] || exit 1
	[ -z "$(cat)" ] || exit 2
	[ -z "$(ls -A "$HOME")" ] || exit 3
	[ "${PATH%%:*}" = "$PWD/build/test/bin" ] || exit 4
	echo ok clean 1 checks
	END
	run env EHR_DIR=/somewhere MAKEFLAGS=n TMPDIR="$BATS_TEST_TMPDIR" \
	    t/run t/unit/clean.c <<<"typed"
	[ "${lines[-1]}" = "1 passed, 0 failed" ]
}

@test "nothing is left behind, when interrupted neither" {
	unit one <<<'echo ok one 1 checks; echo x >"$TMPDIR/file"'
	before=$(ls -A "$BATS_TEST_TMPDIR")
	runner env
	[ "$(ls -A "$BATS_TEST_TMPDIR")" = "$before" ]
	unit slow <<<"sleep 62.$$"
	TMPDIR=$BATS_TEST_TMPDIR t/run t/unit/slow.c 3>&- &
	until_ok 10 pgrep -f "^sleep 62.$$"
	kill -TERM $!
	wait $! || :
	run pgrep -f "^sleep 62.$$"
	[ "$status" -eq 1 ]
	[ "$(ls -A "$BATS_TEST_TMPDIR")" = "$before" ]
}
