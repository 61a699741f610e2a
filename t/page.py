#!/usr/bin/env python3
"""page: read a page of ehr-audit --html strictly, and print its text: a row of
a table with "|" between its cells, a line for each other piece of text.

    page.py FILE

Exit status 1, and why, when it is not well-formed, or has anything in it that
is run or that is loaded."""
import html.parser
import re
import sys

VOID = {"meta", "br", "line"}
ALLOWED = set("html head meta title style body h1 h2 p table tr th td ul li "
              "br span svg line rect text footer".split())
ATTRIBUTES = set("lang charset name content class viewbox role aria-label x y "
                 "x1 x2 y1 y2 width height".split())


def need(ok, what):
    if not ok:
        sys.exit("not so: " + what)


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.cells, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        need(tag in ALLOWED, "<%s>" % tag)
        for name, value in attrs:
            need(name in ATTRIBUTES, "an attribute " + name)
            need(value is not None, name + " without a value")
        need(len({n for n, _ in attrs}) == len(attrs), "attributes once")
        if tag == "br":
            self.text += " "
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        need(tag == "line", "<%s/>" % tag)
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        need(self.open and self.open.pop() == tag, "</%s> ends it" % tag)
        text, self.text = self.text, ""
        if tag == "style":
            need("url(" not in text and "@import" not in text, "style")
        elif tag in ("td", "th"):
            self.cells.append(text)
        elif tag == "tr":
            print("|".join(self.cells))
            self.cells = []
        elif tag == "title" and "svg" in self.open:
            print("title: " + text)
        elif tag == "span":
            self.text = text
        elif text.strip():
            print(text.strip())

    def handle_data(self, data):
        self.text += data if data != "\n" else ""

    def handle_decl(self, decl):
        need(decl == "DOCTYPE html", decl)

    def handle_comment(self, data):
        need(False, "a comment")

    def handle_pi(self, data):
        need(False, "an instruction")


with open(sys.argv[1], encoding="utf-8", errors="strict") as f:
    whole = f.read()
need("http" not in whole, "a reference to elsewhere")
need(not re.search("<script|javascript:|<iframe|<object|<link", whole, re.I),
     "something that is run")
page = Page()
page.feed(whole)
page.close()
need(not page.open, "all is closed: " + " ".join(page.open))
