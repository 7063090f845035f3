import pytest
from skimage import data

from alignimation_index.models.mtcnn import MtcnnDetector
from alignimation_index.models.onet_refiner import OnetRefiner


@pytest.fixture(scope="session")
def detector():
    return MtcnnDetector()


@pytest.fixture(scope="session")
def refiner():
    return OnetRefiner()


@pytest.fixture(scope="session")
def astronaut():
    return data.astronaut()
