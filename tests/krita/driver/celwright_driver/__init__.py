"""A plugin for tests: plays the scenario that CELWRIGHT_TEST_SCENARIO names; without that variable it does nothing."""

import os

if "CELWRIGHT_TEST_SCENARIO" in os.environ:
    from celwright_driver.player import begin

    begin()
