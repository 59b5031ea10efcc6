"""The embedded servers: Kafka, S3, Postgres and Airflow, each as a program that is started and stopped."""
