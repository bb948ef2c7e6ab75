"""Statistics from lists."""

# file: hw1/hw1.py

def get_training_stats(mlp, dset, nepochs, batch_size):
    train, val, _ = dset
    rows, figures = list(range(len(train[0]))), []
    for epoch in range(nepochs):
        np.random.shuffle(rows)
        epoch_figures = []
        for (x, y), rows_ in ((train, rows), (val, range(len(val[0])))):
            mlp.train() if y is train[1] else mlp.eval()
            losses, errors = [], []
            for b in range(0, len(x), batch_size):
                batch = list(rows_[b : b + batch_size])
                mlp(x[batch])
                if mlp.train_mode:
                    mlp.zero_grads()
                    mlp.backward(y[batch])
                    mlp.step()
                losses.append(mlp.total_loss(y[batch]))
                errors.append(mlp.error(y[batch]))
            epoch_figures += [sum(losses) / len(x), sum(errors) / len(x)]
        figures.append(epoch_figures)
    return tuple(np.array(figures).T)
