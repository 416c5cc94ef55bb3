"""What all tests share: a suite that others run too shows the values of what failed."""

import pytest

pytest.register_assert_rewrite("everytick.testing.ledgers")
