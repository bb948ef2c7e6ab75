"""Installs the package mytorch; hw1 and the autograder run from where they lie."""

from setuptools import setup  # type: ignore[import-untyped]

AUTOGRADER = ["pytest>=7"]
PLOTS = ["matplotlib>=3.5", "tqdm"]

setup(
    name="mytorch",
    version="1.0",
    description="The layers of a multi-layer perceptron in NumPy: Homework 1 Part 1 of 11-785, Spring 2020",
    packages=["mytorch"],
    package_data={"mytorch": ["py.typed"]},
    python_requires=">=3.9",
    install_requires=["numpy>=1.23"],
    extras_require={
        "autograder": AUTOGRADER,
        "plots": PLOTS,
        # The first pytest that reads .pytest.ini, and the first setuptools that builds wheels by itself.
        "dev": [*PLOTS, "pytest>=7.2", "pytest-xdist", "setuptools>=71"],
        "lint": ["mypy==2.4.1", "ruff==0.17.6"],  # whose new versions find new faults
        "oracle": ["torch"],
        "benchmark": ["jax", "scikit-learn", "torch"],
    },
)
