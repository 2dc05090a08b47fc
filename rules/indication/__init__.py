"""Why and when lenalidomide is given: lines of therapy, reimbursement, the end of treatment, transplant."""
