"""What the archives in `data` hold: expected values and traces by PyTorch, known mistakes' numbers, MNIST."""
