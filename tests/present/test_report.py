"""Report, story and demo: one file that needs nothing else, in which hostile text stays text."""

from __future__ import annotations

import re

import pytest

from incident_kit.errors import UsageError
from incident_kit.present.demo import run_demo
from incident_kit.present.opening import chosen_pod
from incident_kit.present.report import write_report
from incident_kit.present.story import tell
from tests.present.folder import POD, SCRIPT


@pytest.fixture(scope="module")
def page(evidence, tmp_path_factory):
    return write_report(evidence, tmp_path_factory.mktemp("report") / "report.html").read_text("utf-8")


def test_the_page_fetches_nothing_and_runs_nothing(page):
    assert not re.search(r"<script|<link|<iframe|\bsrc=\"(?!data:)|url\(|@import|\son\w+=", page)
    assert "default-src 'none'" in page


def test_log_text_in_the_page_is_text(page):
    assert SCRIPT not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "\x1b" not in page


@pytest.mark.parametrize("title", ["Timeline", "Findings", "Only on the console, by cause", "RabbitMQ connections", "Changes",
                                   "Coverage", "Gaps", "What this does not show"])  # fmt: skip
def test_the_page_has_every_part(page, title):
    assert f">{title}</h2>" in page


def test_every_link_of_the_contents_leads_to_a_heading(page):
    links = re.findall(r'href="#([^"]*)"', page)
    assert len(links) >= 15
    assert links == re.findall(r'<h2 id="([^"]*)"', page)


def test_who_cannot_see_the_page_is_told_what_it_shows(page):
    assert all(len(words) > 40 for words in re.findall(r'<img [^>]*alt="([^"]*)"', page))
    assert page.count('role="region" aria-label=') >= 5
    assert "<th>" not in page


def test_what_it_does_not_show_stands_last(page):
    assert re.findall(r"<h2 id[^>]*>([^<]*)", page)[-1] == "What this does not show"


def test_markdown_holds_no_html_from_a_log(evidence, tmp_path):
    text = write_report(evidence, tmp_path / "report.md").read_text("utf-8")
    assert "<script" not in text
    assert text.startswith("# Incident report: hostile")


def test_the_story_counts_what_never_arrived(evidence):
    sentences = [sentence for chapter in tell(evidence) for sentence in chapter.sentences]
    assert "3 of 10 console entries never reached Elasticsearch." in sentences
    assert any(POD in sentence and "OOMKilled, exit code 137" in sentence for sentence in sentences)


def test_the_story_says_what_could_not_be_read(evidence):
    last = tell(evidence)[-1]
    assert last.title == "What this does not show"
    assert any(sentence.startswith("argocd: ") for sentence in last.sentences)


def test_a_demo_can_be_repeated(bundle, tmp_path):
    first = run_demo(tmp_path / "out", bundle)
    assert run_demo(tmp_path / "out", bundle) == first
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"story.txt", "timeline.png", "report.html"}
    assert f"incident-kit trace shop/{POD} " in first


def test_a_demo_replaces_no_file_of_somebody_else(bundle, tmp_path):
    (tmp_path / "report.html").write_text("mine")
    with pytest.raises(UsageError, match=r"report\.html, which no demo wrote"):
        run_demo(tmp_path, bundle)
    assert (tmp_path / "report.html").read_text() == "mine"


def test_the_pod_asked_about_is_a_finding_s(evidence):
    assert chosen_pod(evidence) == f"shop/{POD}"
    assert chosen_pod(evidence, POD) == f"shop/{POD}"
