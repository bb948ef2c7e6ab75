# Multiple Choice

# Question 1
def question_1():
    return 'b'

# Question 2
def question_2():
    return 'a'

# Question 3
def question_3():
    return 'a'

# Question 4
def question_4():
    return 'a'

# Question 5
def question_5():
    return 'c'
