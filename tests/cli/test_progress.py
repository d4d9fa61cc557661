"""What a person at a terminal sees of long work."""


def test_training_shows_a_bar_of_its_sequences_and_a_line_an_epoch(at_a_terminal):
    small = ["data.n_train=400", "data.n_validation=64", "data.n_test=64", "trainer.max_epochs=2"]
    code, seen = at_a_terminal("train", "experiment=demo", *small, "evaluation.bootstrap=0")
    assert code == 0, seen[-2000:]
    assert b"/400" in seen
    assert b"epoch 2/2  loss" in seen
    assert b"validation" in seen
