"""External schemas and tables over the Glue Data Catalog: Redshift Spectrum."""
