import time
from itertools import count, islice
from threading import Event

import pytest

from alignimation_index.pipeline.flow import Capacity, batches, gpu_computers, ordered_map, pool


def sleep_less_and_less(number):
    time.sleep(0.02 / (1 + number))
    return number


def test_results_come_in_the_order_of_the_items_however_long_each_takes():
    with pool(4, "test") as executor:
        assert list(ordered_map(executor, sleep_less_and_less, range(12), 8)) == list(range(12))


def test_items_are_taken_no_further_ahead_than_the_window():
    taken = []
    with pool(4, "test") as executor:
        results = ordered_map(executor, abs, (taken.append(i) or i for i in count()), 5)
        for received in range(1, 20):
            next(results)
            assert len(taken) == received + 4
        results.close()


def test_an_error_comes_where_its_item_stood_and_ends_the_stream():
    with pool(3, "test") as executor:
        results = ordered_map(executor, (1).__truediv__, [2, 1, 0, 4], 4)
        assert list(islice(results, 2)) == [0.5, 1]
        with pytest.raises(ZeroDivisionError):
            next(results)
        assert list(results) == []


def test_what_has_not_begun_when_the_stream_is_closed_never_does():
    begun, go_on = [], Event()

    def work(item):
        begun.append(item)
        if item == 1:
            go_on.wait(5)

    with pool(1, "test") as executor:
        results = ordered_map(executor, work, range(9), 4)
        next(results)
        results.close()
        go_on.set()
        executor.submit(work, 9).result()
    assert begun in ([0, 9], [0, 1, 9])


def test_what_has_not_begun_when_an_error_comes_out_never_does():
    begun, go_on = [], Event()

    def work(item):
        begun.append(item)
        if item == 1:
            raise KeyboardInterrupt
        if item == 2:
            go_on.wait(5)

    with pool(1, "test") as executor:
        with pytest.raises(KeyboardInterrupt):
            list(ordered_map(executor, work, range(9), 9))
        go_on.set()
        executor.submit(work, 9).result()
    assert begun in ([0, 1, 9], [0, 1, 2, 9])


def test_a_pool_that_is_left_by_an_error_does_not_begin_what_waits():
    begun, go_on = [], Event()

    def work(item):
        begun.append(item)
        go_on.wait(5)

    with pytest.raises(KeyboardInterrupt), pool(1, "test") as executor:
        futures = [executor.submit(work, item) for item in range(3)]
        futures[1].add_done_callback(lambda _: go_on.set())  # cancelled, while the first still runs
        raise KeyboardInterrupt
    assert begun == [0]


def test_batches_are_full_but_for_the_last():
    assert list(batches(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(batches([], 3)) == []


def test_a_batch_does_not_wait_longer_than_it_may():
    def slow():
        for i in range(6):
            time.sleep(0.04 if i == 2 else 0)
            yield i

    assert list(batches(slow(), 100, 0.03)) == [[0, 1, 2], [3, 4, 5]]


def test_processors_compute_one_photo_each_and_a_gpu_many_at_a_time():
    assert (Capacity.of_processors(2).computers, Capacity.of_processors(32).computers) == (2, 32)
    assert Capacity.of_processors(32).photos_per_task == 1
    assert Capacity.of_gpu(2).photos_per_task > 1
    assert all(capacity.tasks_ahead > 3 for capacity in (Capacity.of_processors(3), Capacity.of_gpu(3)))


@pytest.mark.parametrize(
    ("workers", "gigabytes", "computers"), [(16, 80, 3), (2, 80, 2), (16, 24, 3), (16, 16, 2), (16, 12, 1), (16, 4, 1)]
)
def test_as_many_share_a_gpu_as_find_room_and_have_a_processor(workers, gigabytes, computers):
    assert gpu_computers(workers, gigabytes * 1e9) == computers


def test_the_last_batch_holds_the_rest():
    assert [len(some) for some in batches(range(7), 3)] == [3, 3, 1]
