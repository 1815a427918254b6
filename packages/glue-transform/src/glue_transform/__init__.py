"""Turn a raw month of TLC trips into clean Parquet and a COPY manifest."""
