import re
from pathlib import Path

import numpy as np
import pytest

README = Path(__file__).parents[2] / "README.md"


def test_the_readmes_example_registers_its_ellipse():
    code = re.search(r"<!-- engine example -->\n```python\n(.*?)```", README.read_text(), re.DOTALL)[1]
    names = {}
    exec(code, names)
    found = names["found"]
    matrix = found.template_from_photo[0]
    assert found.converged[0]
    assert found.loss_after[0] < found.loss_before[0] / 5
    assert np.hypot(*matrix[:, 0]) == pytest.approx(1 / 1.1, abs=0.01)
    assert matrix @ [68, 66, 1] == pytest.approx([60, 70], abs=0.5)
