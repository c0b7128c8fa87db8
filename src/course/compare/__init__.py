"""Compare prompting, fine-tuning and controls on a table of one's own: which method, at what cost?

``compare("reviews.csv", text="review", label="stars")``, or ``course compare`` on the command line.
"""

from course.foundation.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "table": ["Table"],
        "reading": ["read_table"],
        "preparation": ["Finding", "Prepared", "prepare"],
        "task": ["Item", "Prediction", "TableTask"],
        "bodies": ["ModelChoice", "Served", "choose_models"],
        "base": ["Method", "Predictor"],
        "registry": ["METHODS"],
        "running": ["compare"],
        "result": ["Comparison"],
        "advice": ["Advice"],
        "using": ["load_learned", "use"],
    },
)
