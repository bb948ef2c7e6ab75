"""A permutation, and arrays made first."""

# file: hw1/hw1.py

def get_training_stats(mlp, dset, nepochs, batch_size):

    train, val, _ = dset
    trainx, trainy = train
    valx, valy = val

    idxs = np.arange(len(trainx))

    training_losses, keep = [], True
    training_errors = []
    validation_losses = []
    validation_errors = []

    # start

    for e in range(nepochs):
        idxs = np.random.permutation(len(trainx))
        mlp.train()
        loss = 0.0
        err = 0.0
        for b in range(0, len(trainx), batch_size):
            x = trainx[idxs[b:b + batch_size]]
            y = trainy[idxs[b:b + batch_size]]
            mlp.zero_grads()
            mlp.forward(x)
            mlp.backward(y)
            mlp.step()
            loss += mlp.total_loss(y)
            err += mlp.error(y)
        training_losses.append(loss / len(trainx))
        training_errors.append(err / len(trainx))

        mlp.eval()
        loss = 0.0
        err = 0.0
        for b in range(0, len(valx), batch_size):
            mlp.forward(valx[b:b + batch_size])
            loss += mlp.total_loss(valy[b:b + batch_size])
            err += mlp.error(valy[b:b + batch_size])
        validation_losses.append(loss / len(valx))
        validation_errors.append(err / len(valx))

    # done

    return (np.array(training_losses), np.array(training_errors), np.array(validation_losses), np.array(validation_errors))
