"""Questionnaires as data: workbook → XForm → form → checked answers.

    convert_workbook(data: bytes) -> Converted(xform, version, notes)         workbook.py; pyxform, authors only
    compile_form(xform_xml: bytes) -> Form                                    compile.py; no pyxform
    read_answers(form, raw, today) -> Answers                                 answers.py; Refused with every fault
    page_faults(form, page, raw, today) -> tuple[Fault, ...]                  answers.py; one page only
    relevant_pages(form, raw, today) -> tuple[Page, ...]                      answers.py; only what is to be asked
    ratings(form, answers) -> tuple[Rating, ...]                              answers.py

The XForm XML is the frozen questionnaire and its SHA-256 the version; the workbook is kept beside it and the
compiled `Form` can always be rebuilt. A page never holds a question that depends on another of the same
page, so the pages need no script. A fault's path is the question's name, its fact `page` the page's name.
"""
