"""Classical inventory theory against textbooks, slow twins and stockpyl."""
