import math

from core.runs.metrics import MetricWriter, latest_rows, read_metrics


def test_metrics_survive_a_cut_line_and_are_read_from_a_cursor(tmp_path):
    path = tmp_path / "metrics.jsonl"
    assert read_metrics(path) == ([], 0)
    writer = MetricWriter(path)
    writer.write(10, 1, {"loss/total": 0.5, "loss/bpr": math.nan})
    writer.close()
    rows, cursor = read_metrics(path)
    assert [(row.step, row.epoch, row.name) for row in rows] == [(10, 1, "loss/total"), (10, 1, "loss/bpr")]
    assert rows[0].value == 0.5
    assert math.isnan(rows[1].value)
    with path.open("a") as file:
        file.write('{"step": 20, "epo')
    assert read_metrics(path, cursor) == ([], cursor)
    writer = MetricWriter(path)
    writer.write(10, 1, {"loss/total": 0.25})
    writer.close()
    later, _ = read_metrics(path, cursor)
    assert [row.value for row in later] == [0.25]
    assert [row.value for row in latest_rows([*rows, *later]) if row.name == "loss/total"] == [0.25]
