"""Photographs → a face set: read, detect, align, judge, de-duplicate, choose; every stage a function of its records."""
