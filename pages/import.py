"""Import: bring data in the browser, see what it is taken for, check it, store it."""

import streamlit as st

from core.data import import_jobs
from core.errors import DataError
from dashboard import readers, states
from dashboard.panels import import_progress as step
from dashboard.panels.import_bring import bring, current_job, refuse
from dashboard.panels.import_form import form
from dashboard.panels.import_look import look

home = readers.home()
with states.page(
    "What is in my data, and how should it be read?",
    "Bring interactions of users with items, or a graph of typed nodes; they stay on this machine. Nothing is stored before "
    "you press Import.",
):
    job = current_job(home)
    if job is None:
        bring(home)
        st.stop()
    told = import_jobs.status(home, job.token)
    asked = job.request()
    step.give_up_if_useless(home, job, told)
    if told.state == "running":
        step.heading(home, job, asked.layout if asked else "auto", running=True)
        step.live(home, job, told)
        st.stop()
    if told.state == "done" and told.act == "import":
        step.outcome(home, job, told)
        st.stop()
    try:
        seen = look(job)
    except DataError as error:
        refuse(home, job, error)
        st.stop()
    step.heading(home, job, seen.layout)
    above = st.container()
    entered = form(home, job, seen)
    with above:
        step.verdict(home, job, told, entered)
    step.actions(home, job, told, entered)
