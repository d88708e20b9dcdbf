"""Runs the unittest cases of a program and ends its output in the form that tests/run reads."""
import sys
import unittest


def run_and_count(module="__main__", argv=None):
    """Runs the cases of a module; answers the exit code. `-k PATTERN` and `-v` work as usual."""
    program = unittest.main(module=module, argv=argv, exit=False, verbosity=2, warnings="ignore")
    result = program.result
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    sys.stderr.flush()
    for case, reason in result.skipped:
        print(f"skipped: {case.id()}: {reason}")
    passed = result.testsRun - failed - len(result.skipped) - len(result.expectedFailures)
    print(f"{max(passed, 0)} passed, {failed} failed, {len(result.skipped)} skipped")
    return 1 if failed else 0
