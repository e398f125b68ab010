"""What we believe: the core that neither fetches nor draws.

    source -> fetch -> parse -> document -> tag -> detect -> jump -> exposure -> spell -> lifeline -> published view

`flows` brings documents in and keeps time; `app` shows what is published; this room decides everything between. It imports
neither of them, nor Prefect, Streamlit or httpx.
"""
