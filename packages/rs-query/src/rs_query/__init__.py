"""Run a SQL file on Amazon Redshift through the Data API: split, bind, run, wait, cancel."""
