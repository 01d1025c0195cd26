"""Questionnaires as data: workbook → XForm → form → checked answers.

    convert_workbook(data: bytes) -> Converted(xform, version, notes)         workbook.py; pyxform, authors only
    compile_form(xform_xml: bytes) -> Form                                    compile.py; no pyxform
    read_answers(form, raw, today) -> Answers                                 answers.py; Refused with every fault
    relevant_pages(form, raw, today) -> tuple[Stop, ...]                      answers.py; only what is to be asked
    page_faults(form, stop, raw, today) -> tuple[Fault, ...]                  answers.py; one stop only
    shown(form, stop, raw, today, language) -> ShownPage                      answers.py; as a reader sees it now
    largest_answer(form) -> int                                               size.py; bytes
    ratings(form, answers) -> tuple[Rating, ...]                              answers.py

The XForm XML is the frozen questionnaire and its SHA-256 the version; the workbook is kept beside it and the
compiled `Form` can always be rebuilt. A page never holds a question that depends on another of the same
page, so the pages need no script. A fault's path is the question's key in `Raw` (`visits.2.minutes` in a
repeat), its facts `page` and `entry` say at which stop it is mended.
"""
