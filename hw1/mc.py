"""The answers to the five multiple-choice questions (writeup, section 2): one lower-case letter each."""


def question_1() -> str:
    """Shapes of np.sum over axis 0, with and without keepdims."""
    return "b"


def question_2() -> str:
    """What the mean and the variance of batch norm are taken over."""
    return "a"


def question_3() -> str:
    """Whether batch norm has to keep running averages."""
    return "a"


def question_4() -> str:
    """Whether reading about zip was a pleasure."""
    return "a"


def question_5() -> str:
    """Which expression is a valid layer."""
    return "c"
