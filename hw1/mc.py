"""The answers to the five multiple-choice questions (writeup, section 2): one lower-case letter each."""


def question_1() -> str:
    """Shapes of sums over axis 0.

    a has the shape (3, 4, 5), b = np.sum(a, axis=0, keepdims=True) and c = np.sum(a, axis=0). What shapes have b and c?

    (a) b (3, 4, 5), c (4, 5)
    (b) b (1, 4, 5), c (4, 5)
    (c) b (3, 4, 5), c (1, 4, 5)
    (d) b (3, 4, 5), c (3, 4, 5)
    """
    return "b"


def question_2() -> str:
    """Mean and variance of batch norm: what is each of them taken over (see the appendix on batch norm)?

    (a) for every neuron of a layer, over the batch
    (b) for every layer, over all of its neurons
    (c) for every neuron of a layer, over the whole test set
    """
    return "a"


def question_3() -> str:
    """Does batch norm have to keep running averages of mean and variance while it is trained?

    (a) yes: a test example comes without a batch to take them from, so estimates have to stand in for them
    (b) no, nothing needs them
    """
    return "a"


def question_4() -> str:
    """The writeup asks you to read a page about Python's zip. Did you like it?

    (a) yes
    (b) no
    """
    return "a"


def question_5() -> str:
    """Which of these is a layer, for x (batch, input), w (input, output) and b (1, output)?

    (a) z = activation(np.dot(x, b) + w)
    (b) z = activation(np.dot(x, w)) + b
    (c) z = activation(np.dot(x, w) + b)
    (d) potato = activation(another_potato)
    """
    return "c"
